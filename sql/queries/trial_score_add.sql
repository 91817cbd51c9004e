insert into trial_score (experiment, question, sensor_set, network, encoder, seed, steps, change, trained_on, scored_on, sites,
                         mean_iou, mean_iou_low, mean_iou_high, footprint_iou, footprint_iou_low, footprint_iou_high,
                         iou, model_checksum, chips_checksum)
values (%(experiment)s, %(question)s, %(sensor_set)s, %(network)s, %(encoder)s, %(seed)s, %(steps)s, %(change)s,
        %(trained_on)s, %(scored_on)s, %(sites)s, %(mean_iou)s, %(mean_iou_low)s, %(mean_iou_high)s, %(footprint_iou)s,
        %(footprint_iou_low)s, %(footprint_iou_high)s, %(iou)s::jsonb, %(model_checksum)s, %(chips_checksum)s)
on conflict (experiment, model_checksum, scored_on) do update
set question = excluded.question, mean_iou = excluded.mean_iou, mean_iou_low = excluded.mean_iou_low,
    mean_iou_high = excluded.mean_iou_high, footprint_iou = excluded.footprint_iou,
    footprint_iou_low = excluded.footprint_iou_low, footprint_iou_high = excluded.footprint_iou_high,
    iou = excluded.iou, sites = excluded.sites, recorded_at = now()
