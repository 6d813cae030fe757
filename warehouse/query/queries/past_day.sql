-- One row per batch of a business date and change of its prices: what was in force, and the resulting data.
select
    past_days.business_date,
    past_days.batch,
    past_days.since,
    past_days.stores,
    past_days.seed,
    past_days.catalog,
    past_days.policy,
    past_days.model_version,
    past_days.book_made_for,
    past_days.book_sha256,
    past_days.code_version,
    past_days.count_decisions,
    past_days.decisions_sha256,
    past_days.repricings_sha256,
    past_days.cells_sha256,
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
