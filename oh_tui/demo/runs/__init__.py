"""The runs of the demo: scenarios played into events, times and costs."""
