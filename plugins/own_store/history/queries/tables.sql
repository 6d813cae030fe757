-- The tables that a file is staged in.
create or replace table staged (
    line bigint,
    date integer,
    store varchar,
    product varchar,
    product_name varchar,
    category varchar,
    brand varchar,
    tier varchar,
    seen_at bigint,
    local bigint,
    price_offered double,
    base_price double,
    regular_price double,
    unit_cost double,
    inventory_level double,
    budget_multiplier double,
    propensity double,
    units double,
    traffic double,
    receipt varchar,
    hour_of_row tinyint,
    shopper bigint,
    purchased boolean,
    promotion boolean,
    display boolean,
    leaflet boolean,
    event varchar
);

create or replace table aside (
    line bigint,
    date integer,
    reason varchar,
    unread_column varchar,
    unread_value varchar,
    text varchar
);
