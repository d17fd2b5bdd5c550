"""One lane on screen: header, transcript, composer, notices."""
