-- Counts the decisions of any relation with their columns; by date, too, if it has a business_date. A visit met the
-- product unless the shelf was empty; a stock that nobody knows counts as stock, as in with_stock. Its price is the
-- lowest that it met, a sticker's too.
create or replace macro count_visits(decisions) as table
    select
        columns('^(business_date|sku)$'),
        tick,
        coalesce(sticker_eur, price_offered) as price_offered,
        is_external(policy) as is_external,
        count(*) as count_visits,
        count(*) filter (where inventory_level is distinct from 0) as count_met,
        count(*) filter (where purchased and inventory_level is distinct from 0) as count_bought
    from query_table(decisions)
    group by all;

-- Counts the visits to each store, of any relation with store_id; by date, too, if it has a business_date.
create or replace macro count_visits_of_stores(decisions) as table
    select
        columns('^(business_date|store_id)$'),
        count(*) as count_visits
    from query_table(decisions)
    group by all;
