"""From a configuration and files to the experiment, stage by stage."""
