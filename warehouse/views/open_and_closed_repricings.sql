-- All price decisions: of days that are over and of those that are being sold.
create or replace view repricings as
select * from closed_repricings
union all by name
select * from live_repricings;

comment on view repricings is 'one price decision: an opening or a change';
