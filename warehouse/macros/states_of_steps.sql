-- What a price book in steps holds, one row per product, stock level and number of ticks left, in the columns of
-- price_book; books before a first date are not opened. In each tick a step goes up to where the next one begins, and
-- so does the line on which values are read.
create or replace macro states_of_steps(steps, first_date) as table
    with thresholds as (
        select
            * exclude (stock_from, unit_value, p_sale, unconstrained_p_sale),
            unnest(stock_from) as stock_from,
            unnest(unit_value) * value_unit as own_value,
            (generate_subscripts(stock_from, 1) - 1 + ticks_from)::smallint as ticks_left,
            p_sale[least(generate_subscripts(stock_from, 1), len(p_sale))] as p_sale,
            unconstrained_p_sale[least(generate_subscripts(stock_from, 1), len(p_sale))] as unconstrained_p_sale
        from query_table(steps)
        where business_date >= first_date
    ),

    stretches as (
        select
            *,
            lead(stock_from) over next_step as next_stock,
            lead(own_value) over next_step as next_value
        from thresholds
        window
            next_step as (
                partition by business_date, made_from, sku, ticks_left
                order by stock_from
            )
    ),

    states as (
        select
            *,
            unnest(range(stock_from, coalesce(next_stock, par_stock + 1)))::int as inventory_level
        from stretches
    )

    select
        sku,
        inventory_level,
        ticks_left,
        price,
        p_sale,
        price * p_sale as expected_revenue,
        own_value + coalesce(
            (next_value - own_value) * (inventory_level - stock_from) / (next_stock - stock_from), 0
        ) as unit_value,
        unconstrained_price,
        binding_rule,
        policy_rule,
        unconstrained_p_sale,
        policy,
        model_version,
        published_at,
        business_date
    from states;
