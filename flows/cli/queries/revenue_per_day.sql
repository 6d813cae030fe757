-- One row per business date: who priced it, and what it brought in all stores together.
select
    business_date,
    any_value(policy) as policy,
    any_value(model_version) as model_version,
    coalesce(sum(price_offered) filter (where purchased), 0) as revenue_eur,
    count(*) filter (where purchased) as count_units,
    count(*) filter (where outcome = 'out_of_stock') as count_sold_out_visits,
    avg(price_offered) filter (where instead_of is null) as mean_price_eur
from visits_and_substitutions
group by business_date
order by business_date;
