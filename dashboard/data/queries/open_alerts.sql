-- One row per alert that was raised and is not over, the oldest first; drift has a notice of its own.
with newest as (
    select
        kind,
        subject,
        arg_max(event, number) as event,
        arg_max(sentence, number) as sentence,
        arg_max(happened_at, number) as raised_at
    from alerts
    group by kind, subject
)

select
    kind,
    subject,
    sentence,
    raised_at
from newest
where event = 'raised' and kind != 'drift'
order by raised_at, kind, subject
limit $most;
