-- One row per business date: who priced it, and what it brought in all stores together.
select
    business_date,
    any_value(policy) as policy,
    any_value(model_version) as model_version,
    coalesce(sum(price_offered) filter (where purchased), 0)::double as revenue_eur,
    count(*) filter (where purchased) as units,
    count(*) filter (where outcome = 'out_of_stock') as sold_out_visits,
    avg(price_offered) filter (where instead_of is null)::double as mean_price_eur
from visits_and_substitutions
group by business_date
order by business_date;
