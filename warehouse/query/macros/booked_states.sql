-- What price books hold, one row per product, stock level and number of ticks left; books before a first date are not
-- opened.
create or replace macro booked_states(books, first_date) as table
    select
        sku,
        unnest(range(0, len(price)))::int as inventory_level,
        ticks_left,
        unnest(price) as price,
        unnest(p_sale) as p_sale,
        unnest(list_transform(list_zip(price, p_sale), lambda own: own[1] * own[2])) as expected_revenue,
        unnest(unit_value) as unit_value,
        unnest(unconstrained_price) as unconstrained_price,
        unnest(binding_rule) as binding_rule,
        unnest(policy_rule) as policy_rule,
        unnest(unconstrained_p_sale) as unconstrained_p_sale,
        policy,
        model_version,
        published_at,
        business_date
    from query_table(books)
    where business_date >= first_date;
