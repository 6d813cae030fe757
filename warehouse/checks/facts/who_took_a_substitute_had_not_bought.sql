-- Each unit that was taken instead of another product follows a visit of the same shopper to that product, which found
-- it too dear or sold out. Rows = failure. Stores whose decisions of the date are not there, such as those that still
-- sell, are left out.
with decided_in as (
    select distinct
        business_date,
        store_id
    from decided
),

taken as (
    select
        substitutions.business_date,
        substitutions.store_id,
        substitutions.seen_at,
        substitutions.shopper_id,
        substitutions.instead_of,
        substitutions.sku
    from substitutions
    inner join decided_in
        on substitutions.business_date = decided_in.business_date and substitutions.store_id = decided_in.store_id
)

select
    taken.business_date,
    taken.store_id,
    taken.seen_at,
    taken.instead_of,
    taken.sku
from taken
anti join closed_interactions as visits
    on
        taken.business_date = visits.business_date
        and taken.store_id = visits.store_id
        and taken.seen_at = visits.seen_at
        and taken.shopper_id = visits.shopper_id
        and taken.instead_of = visits.sku
        and not visits.purchased
        and taken.sku <> visits.sku;
