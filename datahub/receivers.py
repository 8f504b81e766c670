"""What the Datahub does when a person is deleted: their rows go the way that each table says."""
