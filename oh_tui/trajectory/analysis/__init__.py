"""What follows from the steps of a run: verdict, loops, costs, activity, changed files, search."""
