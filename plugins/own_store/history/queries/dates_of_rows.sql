select distinct date
from staged
order by date;
