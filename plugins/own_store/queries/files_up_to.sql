-- One row: how many files of exported decisions begin up to a date.
select count(*) as count_files
from ingested_files
where first_date <= $through;
