-- Rows of `parsed` that cannot be read, with their first reason. Where the date can be read, they belong to it.
-- `seen_at` is UTC and `local` the clock of the store, both microseconds since 1970.
with faulted as (
    select
        *,
        case
            when is_missing then $missing
            when $has_hour and not coalesce(hour between 0 and 23 and hour = floor(hour), false)
                then 'the hour is not a whole number from 0 to 23'
            when seen_at is null then 'the time cannot be read'
            when local >= $after_calendars then 'the time is in the future'
            when local < 86400000000 then 'the time is before 1970'
            when is_doubtful then 'the local time does not exist or happens twice in ' || $zones
            when regexp_matches(unread_value, $with_unit)
                then unread_column || ' holds a currency or unit: write the number alone'
            when unread_column is not null
                then
                    unread_column || ' cannot be read as a number with a decimal '
                    || case when $decimal = ',' then 'comma' else 'point' end
            when $is_sales and (price_offered is null or isnan(price_offered)) and units != 0 then $missing
            when $is_units and local % 3600000000 != 0 then 'the time is neither a day nor a whole hour'
            when not $is_sales and purchased is null then $not_a_flag
            when propensity is not null and not (propensity > 0 and propensity <= 1) then $not_a_chance
        end as reason
    from parsed
)

select
    line,
    case
        when seen_at is not null and local between 86400000000 and $after_calendars - 1 then local // 86400000000
        else -1
    end::integer as date,
    reason,
    case when contains(reason, ' a number ') or ends_with(reason, ' alone') then unread_column end as unread_column,
    unread_value
from faulted
where reason is not null
order by line;
