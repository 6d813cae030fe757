-- What price books hold, one row per product, stock level and number of ticks left; books before a first date are not
-- opened. An empty shelf sells nothing.
create or replace macro booked_states(books, first_date) as table
    with states as (
        select
            *,
            unnest(range(0, len(price_position)))::int as inventory_level,
            unnest(list_transform(price_position, lambda place: ladder[place::int + 1])) as shown_price,
            unnest(list_transform(price_position, lambda place: chances[place::int + 1])) as shown_chance,
            unnest(list_transform(unconstrained_position, lambda place: ladder[place::int + 1])) as unconstrained_price,
            unnest(list_transform(unconstrained_position, lambda place: chances[place::int + 1])) as chance_without,
            unnest(unit_value) as kept_value,
            unnest(binding_rule) as rule_of_price,
            unnest(policy_rule) as rule_of_policy
        from query_table(books)
        where business_date >= first_date
    )

    select
        sku,
        inventory_level,
        ticks_left,
        shown_price as price,
        case when inventory_level = 0 then 0.0 else shown_chance end as p_sale,
        shown_price * case when inventory_level = 0 then 0.0 else shown_chance end as expected_revenue,
        kept_value::double as unit_value,
        unconstrained_price,
        rule_of_price as binding_rule,
        rule_of_policy as policy_rule,
        case when inventory_level = 0 then 0.0 else chance_without end as unconstrained_p_sale,
        policy,
        model_version,
        published_at,
        business_date
    from states;
