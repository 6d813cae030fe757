-- One row: the responses to exported prices that a model version was judged by, as a JSON list.
select price_response
from model_versions
where version = $version;
