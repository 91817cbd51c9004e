select distinct experiment, question from experiment order by experiment
