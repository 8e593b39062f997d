-- Orthanc's own routing: reports of the stations that were asked for go to DIR Link, all others stay.
wanted = { CT1 = true, XA1 = true }

function OnStoredInstance(instance, tags, metadata, origin)
  if origin["RequestOrigin"] == "DicomProtocol" and tags["Modality"] == "SR" and wanted[tags["StationName"]] then
    SendToModality(instance, "dirlink")
  end
end
