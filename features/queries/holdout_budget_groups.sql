-- One row per holdout cell and budget group of the shoppers, which no model may see. Where the multiplier is not known,
-- as in a retailer's own data, there are no rows.
select
    business_date,
    sku,
    price_offered,
    inventory_level,
    budget_group_of(budget_multiplier) as budget_group,
    count(*) as n_offered,
    count(*) filter (where purchased) as n_purchased
from decisions_with_stock
where
    business_date > $trained_through
    and business_date <= $judged_through
    and budget_multiplier is not null
group by business_date, sku, price_offered, inventory_level, budget_group_of(budget_multiplier)
order by business_date, sku, price_offered, inventory_level, budget_group;
