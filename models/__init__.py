"""What the network sees and is: sensor sets, labels, network, training, evaluation, prediction, zoo."""
