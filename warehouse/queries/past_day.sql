-- One row per batch of a business date and change of its prices: what was in force, and what came of it.
select
    past_days.*,
    champions.change as champion_change,
    champions.version as champion
from past_days
left join champions
    on champions.change = (
        select max(latest.change)
        from champions as latest
        where latest.prices_from <= past_days.business_date
    )
where past_days.business_date = $business_date
order by past_days.batch, past_days.since;
