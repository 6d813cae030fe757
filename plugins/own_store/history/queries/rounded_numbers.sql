-- The first number that a spreadsheet rounded, in each column of numbers that are names.
with words as (
    select
        'sku' as ours,
        product as word,
        list(distinct product_name order by product_name) as names,
        min(line) as line
    from staged
    group by product
    union all
    select
        'product_name' as ours,
        product_name as word,
        [] as names,
        min(line) as line
    from staged
    where contains(lower(product_name), 'e')
    group by product_name
    union all
    select
        'receipt' as ours,
        receipt as word,
        [] as names,
        min(line) as line
    from staged
    where contains(lower(receipt), 'e')
    group by receipt
)

select
    ours,
    line,
    word,
    case when regexp_full_match(word, '\d+[eE]\d{1,2}') then names else [] end as names
from words
where
    regexp_full_match(word, '\d[.,]\d+[eE]\+?\d{1,2}|\d+[eE]\+\d{1,2}')
    or (regexp_full_match(word, '\d+[eE]\d{1,2}') and len(names) > 1)
order by line
limit 1;
