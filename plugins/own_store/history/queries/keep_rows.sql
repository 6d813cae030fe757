-- Rows that can be read, in the order of the file; `bad` has the others.
insert into staged by name
select * -- noqa: AM04
from readable
where line not in (select bad.line from bad);
