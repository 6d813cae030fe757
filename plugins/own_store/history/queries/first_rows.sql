-- What the first rows look like, as shares of them: rows whose store, product and time an earlier row has, rows whose
-- price is the same, too, rows that sold nothing, and rows with minutes. What was brought back stands beside what was
-- sold, and is not compared. Where times have minutes, lines are compared by day: an hour with one line would hide
-- that.
with moments as (
    select
        *,
        coalesce(exact_us, local_us, 0) as moment
    from parsed
),

looked as (
    select
        *,
        avg((moment % 3600000000 != 0)::integer) over () as share_timed
    from moments
),

compared as (
    select
        row(
            moment // 86400000000,
            case when share_timed <= $few then moment // 3600000000 % 24 end,
            store,
            product,
            hour
        ) as time,
        price_offered
    from looked
    where not coalesce(units < 0, false)
)

select
    (select 1 - count(distinct time) / count(*) from compared) as repeated,
    (select 1 - count(distinct row(time, price_offered)) / count(*) from compared) as alike,
    (select avg((not coalesce(units != 0, false))::integer) from looked) as not_sold,
    (select max(share_timed) from looked) as timed;
