-- One row per column that the file shows, with its unit and meaning: from the contract of its table, from the comment
-- in the definition of its mart, or, where every contract means the same by its name, from there. The unit of a mart's
-- column follows from its type or its name, which keep to the rules below.
create table dictionary as
with shown as (
    select
        table_name,
        column_name,
        column_index,
        data_type,
        comment,
        case table_name
            when 'decisions_with_stock' then 'interactions'
            when 'decisions_with_ratio' then 'interactions'
            when 'training_rows' then 'interactions'
            when 'visits_and_substitutions' then 'interactions'
            when 'newest_rival_prices' then 'competitor_prices'
            when 'price_book' then 'booked_prices'
            when 'price_book_history' then 'booked_prices'
            when 'shopper_pool' then 'shoppers'
            else regexp_replace(table_name, '^closed_|_(history|published)$', '')
        end as contract
    from duckdb_columns()
    where schema_name = 'main' and not internal and table_name not in ('contract_columns', 'dictionary')
),

shared as (
    select
        column_name,
        any_value(unit) as unit,
        any_value(meaning) as meaning
    from contract_columns
    group by column_name
    having count(distinct meaning) = 1
)

select
    shown.table_name,
    shown.column_name,
    shown.data_type,
    coalesce(
        own.unit,
        case when shown.comment is null then shared.unit end,
        case
            when shown.data_type = 'BOOLEAN' then 'yes or no'
            when shown.data_type = 'DATE' then 'date'
            when shown.data_type = 'TIMESTAMP WITH TIME ZONE' then 'UTC'
            when shown.data_type like 'VARCHAR%' then '-'
            when shown.column_name like '%per_visit_eur' then 'EUR per visit'
            when ends_with(shown.column_name, 'a_store_day_eur') then 'EUR per store day'
            when ends_with(shown.column_name, 'units_a_store_day') then 'units per store day'
            when ends_with(shown.column_name, 'a_day_eur') then 'EUR per day'
            when ends_with(shown.column_name, '_eur') then 'EUR'
            when starts_with(shown.column_name, 'share_') then 'share'
            when ends_with(shown.column_name, '_visits') then 'visits'
            when shown.column_name in ('count_clamped', 'count_explored') then 'decisions'
            when starts_with(shown.column_name, 'count_') then replace(substring(shown.column_name, 7), '_', ' ')
            when ends_with(shown.column_name, '_a_day') then 'units per day'
            when starts_with(shown.column_name, 'units_') or ends_with(shown.column_name, '_units') then 'units'
            when shown.column_name = 'inventory_level' then 'units'
            when shown.column_name = 'expected_revenue' or ends_with(shown.column_name, 'price') then 'EUR'
            when ends_with(shown.column_name, 'p_sale') then 'probability'
            when starts_with(shown.column_name, 'days_') or ends_with(shown.column_name, '_days') then 'days'
            when starts_with(shown.column_name, 'hour_') then 'hours'
            when starts_with(shown.column_name, 'sku_') then '0 or 1'
            when ends_with(shown.column_name, '_elasticity') or shown.column_name = 'price_index' then 'ratio'
            when ends_with(shown.column_name, '_tick') or shown.column_name = 'since' then 'ticks since opening'
            when shown.column_name in ('change', 'seed') then 'number'
        end,
        shared.unit,
        ''
    ) as unit,
    coalesce(
        own.meaning,
        shown.comment,
        shared.meaning,
        case when starts_with(shown.column_name, 'sku_') then '1 for this product, else 0' else '' end
    ) as meaning
from shown
left join contract_columns as own
    on
        own.table_name in (shown.contract, shown.contract || '_history')
        and shown.column_name = own.column_name
left join shared on shown.column_name = shared.column_name
order by shown.table_name, shown.column_index;

comment on table dictionary is 'one column that the file shows, with its type, unit and meaning';
