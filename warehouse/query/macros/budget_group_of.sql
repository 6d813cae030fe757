-- Names the budget group of a multiplier: frugal below 0.9, wealthy above 1.1.
create or replace macro budget_group_of(multiplier) as
case
    when multiplier < 0.9 then 'frugal'
    when multiplier > 1.1 then 'wealthy'
    else 'average'
end;
