select store
from staged
group by store
order by min(line);
