-- How the text of a file is read: numbers by their decimal sign, times by the forms that mean the same everywhere.
-- Text that cannot be read is null. All text comes without spaces around it.
set timezone = 'UTC';

create or replace macro as_number(said, sign) as try_cast(
    case
        when contains(said, '_') then null
        when sign = '.' and not contains(said, ',') then said
        when sign = ',' and not contains(said, '.') then replace(said, ',', '.')
        when sign = '.' and regexp_full_match(said, '[+-]?\d{1,3}(,\d{3})+(\.\d*)?') then replace(said, ',', '')
        when sign = ',' and regexp_full_match(said, '[+-]?\d{1,3}(\.\d{3})+(,\d*)?')
            then replace(replace(said, '.', ''), ',', '.')
    end as double
);

create or replace macro as_flag(said) as case
    when lower(said) in ('1', '1.0', 'true', 't', 'yes', 'y') then true
    when lower(said) in ('0', '0.0', 'false', 'f', 'no', 'n') then false
end;

-- Whether something was on offer: yes or no, a number above 0, or the name of an offer.
create or replace macro as_offer(said) as case
    when said is not null
        then
            coalesce(
                as_flag(said),
                try_cast(said as double) > 0,
                lower(said) not in ('none', 'regular', '-', 'no promotion', 'no promo')
            )
end;

-- A whole number that fits is kept; any other name becomes a number that is the same in every file.
create or replace macro as_shopper(said) as case
    when regexp_full_match(said, '\d{1,10}') and said::bigint <= 2147483647 then said::bigint
    when said is not null then ('0x' || substr(sha256(said), 9, 8))::bigint & 2147483647
end;

create or replace macro as_time_of_day(said) as case
    when regexp_full_match(said, '\d{1,4}') then regexp_replace(lpad(said, 4, '0'), '(..)(..)', '\1:\2')
    when regexp_full_match(said, '\d{5,6}') then regexp_replace(lpad(said, 6, '0'), '(..)(..)(..)', '\1:\2:\3')
    else said
end;

-- Microseconds since 1970 on the clock of whoever wrote the time.
create or replace macro as_local_us(said) as epoch_us(
    case
        when
            strlen(said) = 19 and substr(said, 17, 1) = ':' and not contains(said, '24:') and not contains(said, '+')
            then try_cast(said as timestamp)
        when regexp_full_match(said, '\d{4}-\d\d-\d\d([ T]([01]\d|2[0-3])(:\d\d(:\d\d(\.\d{1,6})?)?)?)?')
            then try_cast(case when length(said) = 13 then said || ':00' else said end as timestamp)
        when regexp_matches(said, '^\d{1,2}\.\d')
            then try_strptime(said, ['%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M', '%d.%m.%Y'])
    end
);

-- Microseconds since 1970, UTC, of a time with an offset.
create or replace macro as_moment_us(said) as epoch_us(
    case
        when
            regexp_full_match(
                said,
                '\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,6})?)?(Z|z|[+-]\d\d(:?\d\d)?)'
            )
            then try_cast(said as timestamptz)
    end
);

-- The columns that a file may have, without a row.
create or replace table columns_of_files (
    line bigint,
    is_missing boolean,
    seen_at varchar,
    time_of_day varchar,
    store_id varchar,
    shopper_id varchar,
    receipt varchar,
    sku varchar,
    product_name varchar,
    category varchar,
    brand varchar,
    tier varchar,
    price_offered varchar,
    revenue varchar,
    regular_price varchar,
    base_price varchar,
    unit_cost varchar,
    inventory_level varchar,
    budget_multiplier varchar,
    propensity varchar,
    purchased varchar,
    units varchar,
    hour varchar,
    traffic varchar,
    promotion varchar,
    display varchar,
    leaflet varchar,
    event varchar
);
