-- All decisions: of days that are over and of those that are being sold.
create or replace view interactions as
select * from closed_interactions
union all by name
select * from live_interactions;

comment on view interactions is 'one shopper who considered one product';
