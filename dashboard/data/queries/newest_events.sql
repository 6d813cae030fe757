-- One row per event of one store day up to a tick, the newest first: the newest visits (sales and walk-aways), and the
-- newest price decisions, which the visits must not crowd out. Drift is seen when the day is over, so it comes last.
with visits as (
    select
        interactions.seen_at as happened_at,
        -- Why nothing was bought is known of the twin's shoppers alone, and of an empty shelf.
        case
            when interactions.outcome = 'too_expensive' and is_external(interactions.policy) then 'not_bought'
            else interactions.outcome
        end as kind,
        interactions.sku,
        interactions.product_name,
        shoppers.shopper_name,
        interactions.price_offered as price_eur,
        null as reason
    from interactions
    left join shoppers on interactions.shopper_id = shoppers.shopper_id and not is_external(interactions.policy)
    where interactions.business_date = $date and interactions.store_id = $store and interactions.tick <= $through
    order by interactions.seen_at desc
    limit $most_visits
),

decisions as (
    select
        decided_at as happened_at,
        if(explored, 'explored', 'repriced') as kind,
        sku,
        null as product_name,
        null as shopper_name,
        new_price as price_eur,
        reason
    from repricings
    where business_date = $date and store_id = $store and tick <= $through
    order by decided_at desc
    limit $most_decisions
),

drift as (
    select
        (select max(visits.happened_at) from visits) as happened_at,
        'drift' as kind,
        checks.sku,
        products.product_name,
        null as shopper_name,
        null::double as price_eur,
        format(
            'Since {}, {} is bought {} than version {} predicts at the same prices: a new model is requested',
            strftime(checks.since, '%-d %b'),
            products.product_name,
            checks.direction,
            checks.model_version
        ) as reason
    from drift_checks as checks
    inner join products on checks.sku = products.sku
    where
        checks.business_date = $date
        and checks.detected
        and exists (select 1 from visits)
        and not exists (
            select 1
            from interactions
            where business_date = $date and store_id = $store and tick > $through
        )
),

events as (
    select * from visits
    union all by name
    select * from decisions
    union all by name
    select * from drift
)

select
    happened_at,
    kind,
    sku,
    product_name,
    shopper_name,
    price_eur,
    reason
from events
order by happened_at desc, kind = 'drift' desc, kind asc;
