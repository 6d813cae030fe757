-- One row: the last business date that any model version was judged through.
select max(judged_through) as judged_through
from model_versions;
