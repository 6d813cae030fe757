-- The one definition of the model's features, for training, pricing and analysts alike.

-- Adds price_ratio, the price over the base price, to any relation with sku and price_offered.
create or replace macro with_price_ratio(decisions) as table
select
    source.*,
    source.price_offered / products.base_price as price_ratio
from query_table(decisions) as source
inner join products on source.sku = products.sku;

-- Adds the products one-hot to any relation with sku.
create or replace macro model_input(cells) as table
select
    source.*,
    product_one_hot.* exclude (sku)
from query_table(cells) as source
inner join product_one_hot on source.sku = product_one_hot.sku;
