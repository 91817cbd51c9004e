select f_table_name as layer, styleqml::text as style
from public.layer_styles
where f_table_catalog = current_database() and f_table_schema = 'minecam' and stylename = 'minecam'
