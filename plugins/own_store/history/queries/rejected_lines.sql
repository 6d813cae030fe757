-- Lines of a date that were rejected, as they were read.
select
    staged.* -- noqa: AM04
    exclude (date, local) replace (make_timestamp(staged.seen_at) as seen_at),
    refused.reason
from staged
inner join refused on staged.line = refused.line
order by staged.line;
