-- One row per promotion: a person's price that is announced as a reduction, from when until when, and what it brought.
create or replace view promotion_calendar as
select
    changes.change,
    case
        when changes.state = 'proposed' then 'waits'
        when changes.state = 'scheduled' then 'planned'
        when changes.state = 'in_force' then 'running'
        when changes.state = 'superseded' then 'covered'
        when changes.holds_from is null then 'dropped'
        else 'past'
    end as state,
    changes.sku,
    changes.store_id,
    coalesce(changes.holds_from, changes.valid_from) as starts_at,
    coalesce(changes.holds_until, changes.valid_until) as ends_at,
    changes.new_price_eur as price_eur,
    changes.prior_price_eur,
    case
        when changes.new_price_eur < changes.prior_price_eur then 1 - changes.new_price_eur / changes.prior_price_eur
    end as share_reduced,
    changes.asked_by as planned_by,
    changes.approved_by,
    changes.reason,
    effects.count_store_days,
    effects.count_units,
    effects.revenue_eur,
    effects.profit_eur,
    effects.gained_eur
from price_changes_now as changes
left join price_effects as effects on changes.change = effects.change
where changes.is_announced;

comment on view promotion_calendar is
'one promotion, a price of a person that is announced as a reduction: from when until when, and what it brought';
comment on column promotion_calendar.change is 'id of the price change';
comment on column promotion_calendar.state is
'waits, planned, running, covered (a later or stronger order holds instead), past, or dropped before it held';
comment on column promotion_calendar.starts_at is 'from when it is wanted, or held in the first store, UTC';
comment on column promotion_calendar.ends_at is 'until when, UTC; null until it is withdrawn';
comment on column promotion_calendar.price_eur is 'its price, EUR';
comment on column promotion_calendar.prior_price_eur is
'price that the announcement has to name by law, EUR; null where there is none';
comment on column promotion_calendar.share_reduced is
'reduction from that price, as a share of it; null where it is none';
comment on column promotion_calendar.planned_by is 'who asked for it';
comment on column promotion_calendar.approved_by is 'who approved it last; null while nobody has';
comment on column promotion_calendar.reason is 'why, in a sentence';
comment on column promotion_calendar.count_store_days is
'store days on which somebody met its price; null without a forecast';
comment on column promotion_calendar.count_units is 'units that were sold at it so far';
comment on column promotion_calendar.revenue_eur is 'what they brought, EUR';
comment on column promotion_calendar.profit_eur is 'that less the cost of the units, EUR';
comment on column promotion_calendar.gained_eur is
'profit less the forecast of the alternative for as many visits, EUR: no proof, see price_effects';
