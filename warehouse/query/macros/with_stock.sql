-- Keeps the decisions that met a product in stock, of any relation with inventory_level: an empty shelf says nothing
-- about demand. A stock that nobody knows, as in a retailer's own data, counts as stock. The columns are those
-- of the relation.
create or replace macro with_stock(decisions) as table
    select * -- noqa: AM04
    from query_table(decisions)
    where inventory_level is distinct from 0;
