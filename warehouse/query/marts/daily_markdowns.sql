-- One row per business date, store and product with a sticker: what became of its last-day units, and what they
-- brought. Of a date that is being sold, units thrown away are not known yet.
create or replace view daily_markdowns as
with stuck as (
    select
        business_date,
        store_id,
        sku,
        new_price as price_eur,
        sticker_eur
    from repricings
    where sticker_eur is not null
),

sold as (
    select
        business_date,
        store_id,
        sku,
        count(*) filter (where purchased and price_offered = sticker_eur) as units_sold,
        sum(price_offered) filter (where purchased and price_offered = sticker_eur) as brought_eur
    from interactions
    where sticker_eur is not null
    group by business_date, store_id, sku
),

moved as (
    select
        business_date,
        store_id,
        sku,
        units_carried + units_delivered as units_marked,
        units_spoiled,
        waste_eur
    from stock_movements
    where expires_on = business_date
)

select
    stuck.business_date,
    stuck.store_id,
    stuck.sku,
    stuck.price_eur,
    stuck.sticker_eur,
    1 - stuck.sticker_eur / stuck.price_eur as share_reduced,
    coalesce(moved.units_marked, markdowns.units) as units_marked,
    coalesce(sold.units_sold, 0) as units_sold,
    moved.units_spoiled,
    coalesce(sold.brought_eur, 0) as brought_eur,
    moved.waste_eur,
    markdowns.expected_saving_eur
from stuck
left join sold
    on stuck.business_date = sold.business_date and stuck.store_id = sold.store_id and stuck.sku = sold.sku
left join moved
    on stuck.business_date = moved.business_date and stuck.store_id = moved.store_id and stuck.sku = moved.sku
left join markdowns
    on
        stuck.business_date = markdowns.business_date
        and stuck.store_id = markdowns.store_id
        and stuck.sku = markdowns.sku;

comment on view daily_markdowns is
'one business date, store and product with a sticker, and what became of its last-day units';
comment on column daily_markdowns.price_eur is 'price on the label at opening, EUR';
comment on column daily_markdowns.sticker_eur is 'price on the sticker, EUR';
comment on column daily_markdowns.share_reduced is 'how far it is below the label at opening, as a share of that';
comment on column daily_markdowns.units_marked is 'units on their last day at opening';
comment on column daily_markdowns.units_sold is 'units sold at the price on the sticker';
comment on column daily_markdowns.units_spoiled is 'units thrown away all the same; null before closing';
comment on column daily_markdowns.brought_eur is 'what the units sold at the sticker brought, EUR';
comment on column daily_markdowns.waste_eur is
'cost of the units thrown away all the same, and of their disposal, EUR; null before closing';
comment on column daily_markdowns.expected_saving_eur is
'expected at opening beyond the best prices without a sticker, EUR; null where nobody worked it out before';
