-- Whether somebody else set the price: the policies that a retailer's own decisions are kept under, those of files and
-- those of an outside store at prices that were not ours.
create or replace macro is_external(policy) as policy in ('external', 'owner');
