"""One file a screen: each holds what it was told and which row is selected; what it says is in `view`."""
