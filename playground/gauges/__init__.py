"""What the machine tells besides memory: processors and energy. No Qt, nothing of the app."""
