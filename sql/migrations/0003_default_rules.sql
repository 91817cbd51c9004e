-- The rules that ship. Class ids: labels 1-10, 0 is background.

insert into rule (name, description, from_classes, to_classes, place, threshold_hectares) values
    ('new-digging', 'Ground outside the mine became excavation, mine water or cleared land',
     '{0,10}', '{1,6,9}', 'anywhere', 2.0),
    ('new-deposit', 'Ground outside the mine became waste dump, stockpile or tailings',
     '{0,10}', '{2,3,4}', 'anywhere', 2.0),
    ('tailings-growth', 'Ground of any other kind became tailings or a dam',
     '{1,2,3,6,7,8,9}', '{4,5}', 'anywhere', 2.0),
    ('outside-licence', 'New mining ground outside the licence',
     '{0,10}', '{1,2,3,4,5,6,7,8,9}', 'outside_licence', 0.5),
    ('inside-zone', 'New mining ground inside a protected zone',
     '{0,10}', '{1,2,3,4,5,6,7,8,9}', 'inside_zone', 0.5);
