-- One row: what the chain took on a business date that is over, and on the same weekday a week before; null where
-- nothing was sold, and no profit where a cost is not known.
select
    count(distinct store_id) filter (where business_date = $date) as count_stores,
    sum(revenue_eur) filter (where business_date = $date) as revenue_eur,
    case
        when count(*) filter (where business_date = $date and profit_eur is null) = 0
            then sum(profit_eur) filter (where business_date = $date)
    end as profit_eur,
    sum(waste_eur) filter (where business_date = $date) as waste_eur,
    sum(revenue_eur) filter (where business_date < $date) as before_eur
from daily_profit
where business_date in ($date, $date - 7);
