-- One row per product, one 0/1 column per product of the shelf, in the order of their skus.
create type shelf_feature as enum (select 'sku_' || sku from products order by sku);

create or replace view product_one_hot as
with features as (
    select
        sku,
        'sku_' || sku as feature
    from products
)

pivot features on feature in shelf_feature using cast(count(*) as double) group by sku;

comment on view product_one_hot is 'one product, with a 0/1 column for each product of the shelf';
