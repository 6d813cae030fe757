-- The products of the shelf as a type: rows that have it say what else there is, and take a number for each product.
create or replace type shelf_sku as enum (select sku from products order by sku);
