-- The one definition of the model's features, for training, pricing and analysts alike. Both macros keep the columns
-- that they are given, so these cannot be listed.

-- Adds price_ratio, the price over the base price, to any relation with sku and price_offered.
create or replace macro with_price_ratio(decisions) as table
    select
        given.*, -- noqa: AM04
        given.price_offered / products.base_price as price_ratio
    from query_table(decisions) as given
    inner join products on given.sku = products.sku;

-- Adds the products one-hot to any relation with sku. How many columns that makes depends on the shelf, so who selects
-- from it names them by their pattern, together with the column before them: a shelf may be empty.
create or replace macro model_input(cells) as table
    select
        given.*, -- noqa: AM04
        product_one_hot.* exclude (sku)
    from query_table(cells) as given
    inner join product_one_hot on given.sku = product_one_hot.sku;
