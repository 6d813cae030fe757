-- Whether somebody else set the price: the policy that a retailer's own decisions are kept under.
create or replace macro is_external(policy) as policy = 'external';
