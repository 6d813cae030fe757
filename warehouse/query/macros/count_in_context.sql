-- Counts the decisions that met stock by store and hour, of any relation with their columns; by date, too, if it has a
-- business_date. What an outside store sold at prices that were not ours is left out: no model learns from it. The
-- price is the lowest that was met, a sticker's too.
create or replace macro count_in_context(decisions) as table
    select
        columns('^(business_date|store_id)$'),
        epoch_us(seen_at) // 3600000000 % 24 as hour_utc,
        sku,
        coalesce(sticker_eur, price_offered) as price_offered,
        policy = 'external' as is_external,
        count(*) as count_met,
        count(*) filter (where purchased) as count_bought
    from query_table(decisions)
    where inventory_level is distinct from 0 and policy <> 'owner'
    group by all;
