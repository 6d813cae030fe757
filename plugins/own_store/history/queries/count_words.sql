-- Distinct words of each column that may not have too many.
with counted as (
    select
        'product' as word_of,
        5000 as most,
        (select count(*) from products) as found
    union all
    select
        'store_id' as word_of,
        20000 as most,
        (select count(distinct store) from staged) as found
    union all
    select
        'event' as word_of,
        5000 as most,
        (select count(distinct event) from staged) as found
)

select
    word_of,
    most,
    found
from counted
where found > most;
