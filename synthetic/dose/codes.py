"""The coded concepts of dose reports (PS3.16 annexes A and D; units in UCUM), and their retired SNOMED-RT forms."""

from __future__ import annotations

from synthetic.dose.elements import Code


def dcm(value: str, meaning: str) -> Code:
    """A concept of PS3.16 annex D."""
    return Code(value, "DCM", meaning)


def sct(value: str, meaning: str) -> Code:
    """A concept of SNOMED CT."""
    return Code(value, "SCT", meaning)


def unit(value: str, meaning: str = "") -> Code:
    """A unit of measurement in UCUM."""
    return Code(value, "UCUM", meaning or value)


NO_UNITS = unit("1", "no units")
EVENTS = unit("{events}", "events")
RATIO = unit("{ratio}", "ratio")
SOURCES = unit("{X-Ray sources}", "X-Ray sources")
PULSE_RATE = unit("{pulse}/s", "pulse/s")
MGY, MGY_CM, GY, GY_M2 = unit("mGy"), unit("mGy.cm"), unit("Gy"), unit("Gy.m2")
SECONDS, MILLISECONDS, MM, M2, DEGREES = unit("s"), unit("ms"), unit("mm"), unit("m2"), unit("deg", "degrees")
KV, MA, UA_S, NEWTON, PERCENT = unit("kV"), unit("mA"), unit("uA.s"), unit("N", "newton"), unit("%", "percent")

REPORT = dcm("113701", "X-Ray Radiation Dose Report")
PROCEDURE_REPORTED = dcm("121058", "Procedure reported")
HAS_INTENT = sct("363703001", "Has Intent")
DIAGNOSTIC_INTENT = sct("261004008", "Diagnostic Intent")
CT_PROCEDURE = sct("77477000", "Computed Tomography X-Ray")
PROJECTION = dcm("113704", "Projection X-Ray")
MAMMOGRAPHY = sct("71651007", "Mammography")
OBSERVER_TYPE, DEVICE = dcm("121005", "Observer Type"), dcm("121007", "Device")
DEVICE_UID = dcm("121012", "Device Observer UID")
DEVICE_NAME = dcm("121013", "Device Observer Name")
DEVICE_MANUFACTURER = dcm("121014", "Device Observer Manufacturer")
DEVICE_MODEL = dcm("121015", "Device Observer Model Name")
DEVICE_SERIAL = dcm("121016", "Device Observer Serial Number")
DEVICE_LOCATION = dcm("121017", "Device Observer Physical Location During Observation")
START, END = dcm("113809", "Start of X-Ray Irradiation"), dcm("113810", "End of X-Ray Irradiation")
SCOPE, STUDY = dcm("113705", "Scope of Accumulation"), dcm("113014", "Study")
STUDY_UID = dcm("110180", "Study Instance UID")
SOURCE = dcm("113854", "Source of Dose Information")
AUTOMATED = dcm("113856", "Automated Data Collection")
HUMAN_READABLE = dcm("113868", "Derived From Human-Readable Reports")
COMMENT = dcm("121106", "Comment")

CT_ACCUMULATED = dcm("113811", "CT Accumulated Dose Data")
TOTAL_EVENTS = dcm("113812", "Total Number of Irradiation Events")
DLP_TOTAL = dcm("113813", "CT Dose Length Product Total")
CT_ACQUISITION = dcm("113819", "CT Acquisition")
PROTOCOL = dcm("125203", "Acquisition Protocol")
TARGET_REGION = dcm("123014", "Target Region")
ACQUISITION_TYPE = dcm("113820", "CT Acquisition Type")
SPIRAL = sct("116152004", "Spiral Acquisition")
SEQUENCED = dcm("113804", "Sequenced Acquisition")
CONSTANT_ANGLE = dcm("113805", "Constant Angle Acquisition")
STATIONARY_CT = dcm("113806", "Stationary Acquisition")
CONTEXT = sct("408730004", "Procedure Context")
WITHOUT_CONTRAST = sct("399331006", "CT without contrast")
WITH_CONTRAST = sct("27483000", "Diagnostic radiography with contrast media")
EVENT_UID = dcm("113769", "Irradiation Event UID")
CT_PARAMETERS = dcm("113822", "CT Acquisition Parameters")
EXPOSURE_TIME = dcm("113824", "Exposure Time")
SCANNING_LENGTH = dcm("113825", "Scanning Length")
EXPOSED_RANGE = dcm("113899", "Exposed Range")
SINGLE_COLLIMATION = dcm("113826", "Nominal Single Collimation Width")
TOTAL_COLLIMATION = dcm("113827", "Nominal Total Collimation Width")
PITCH = dcm("113828", "Pitch Factor")
X_RAY_SOURCES = dcm("113823", "Number of X-Ray Sources")
SOURCE_PARAMETERS = dcm("113831", "CT X-Ray Source Parameters")
SOURCE_ID = dcm("113832", "Identification of the X-Ray Source")
KVP = dcm("113733", "KVP")
MAXIMUM_CURRENT = dcm("113833", "Maximum X-Ray Tube Current")
TUBE_CURRENT = dcm("113734", "X-Ray Tube Current")
ROTATION_TIME = dcm("113834", "Exposure Time per Rotation")
CT_DOSE = dcm("113829", "CT Dose")
CTDI_VOL = dcm("113830", "Mean CTDIvol")
PHANTOM = dcm("113835", "CTDIw Phantom Type")
HEAD_PHANTOM = dcm("113690", "IEC Head Dosimetry Phantom")
BODY_PHANTOM = dcm("113691", "IEC Body Dosimetry Phantom")
DLP = dcm("113838", "DLP")
SSDE = dcm("113930", "Size Specific Dose Estimation")
LATERAL_DIMENSION = dcm("113931", "Measured Lateral Dimension")
AP_DIMENSION = dcm("113932", "Measured AP Dimension")
SSDE_FROM_BOTH = dcm("113936", "AAPM 204 Sum of Lateral and AP Dimension")
METHOD = sct("370129005", "Measurement Method")
MODULATION = dcm("113842", "X-Ray Modulation Type")
ALERT = dcm("113900", "Dose Check Alert Details")
DLP_ALERT_SET = dcm("113901", "DLP Alert Value Configured")
CTDI_ALERT_SET = dcm("113902", "CTDIvol Alert Value Configured")
CTDI_ALERT = dcm("113904", "CTDIvol Alert Value")
NOTIFICATION = dcm("113908", "Dose Check Notification Details")
DLP_NOTIFICATION_SET = dcm("113909", "DLP Notification Value Configured")
CTDI_NOTIFICATION_SET = dcm("113910", "CTDIvol Notification Value Configured")
YES, NO = sct("373066001", "Yes"), sct("373067005", "No")
ROLE, IRRADIATING = dcm("113876", "Device Role in Procedure"), dcm("113859", "Irradiating Device")
ROLE_MANUFACTURER = dcm("113878", "Device Manufacturer")
ROLE_MODEL = dcm("113879", "Device Model Name")
ROLE_SERIAL = dcm("113880", "Device Serial Number")

DEVICE_TYPE = dcm("122142", "Acquisition Device Type")
GUIDED = dcm("113957", "Fluoroscopy-Guided Projection Radiography System")
INTEGRATED = dcm("113958", "Integrated Projection Radiography System")
ACCUMULATED = dcm("113702", "Accumulated X-Ray Dose Data")
PLANE, SINGLE_PLANE = dcm("113764", "Acquisition Plane"), dcm("113622", "Single Plane")
CALIBRATION = dcm("122505", "Calibration")
CALIBRATION_DEVICE = dcm("113794", "Dose Measurement Device")
DOSIMETER = sct("15869005", "Dosimeter")
CALIBRATION_DATE = dcm("113723", "Calibration Date")
CALIBRATION_FACTOR = dcm("122322", "Calibration Factor")
CALIBRATION_UNCERTAINTY = dcm("113763", "Calibration Uncertainty")
CALIBRATION_PARTY = dcm("113724", "Calibration Responsible Party")
DAP_TOTAL, RP_TOTAL = dcm("113722", "Dose Area Product Total"), dcm("113725", "Dose (RP) Total")
FLUORO_DAP = dcm("113726", "Fluoro Dose Area Product Total")
FLUORO_RP = dcm("113728", "Fluoro Dose (RP) Total")
FLUORO_TIME = dcm("113730", "Total Fluoro Time")
ACQUISITION_DAP = dcm("113727", "Acquisition Dose Area Product Total")
ACQUISITION_RP = dcm("113729", "Acquisition Dose (RP) Total")
ACQUISITION_TIME = dcm("113855", "Total Acquisition Time")
FRAMES = dcm("113731", "Total Number of Radiographic Frames")
REFERENCE_POINT = dcm("113780", "Reference Point Definition")
ISOCENTER_15 = dcm("113860", "15cm from Isocenter toward Source")
DETECTOR_PLANE = dcm("113941", "In Detector Plane")
BREAST_SURFACE = dcm("113865", "4.2cm above Breast Support Surface")
EVENT = dcm("113706", "Irradiation Event X-Ray Data")
STARTED = dcm("111526", "DateTime Started")
EVENT_TYPE = dcm("113721", "Irradiation Event Type")
FLUOROSCOPY = sct("44491008", "Fluoroscopy")
STATIONARY = dcm("113611", "Stationary Acquisition")
ANATOMY = sct("91723000", "Anatomical structure")
LATERALITY = sct("272741003", "Laterality")
RIGHT_BREAST, LEFT_BREAST = sct("73056007", "Right breast"), sct("80248007", "Left breast")
IMAGE_VIEW = dcm("111031", "Image View")
DAP, RP = dcm("122130", "Dose Area Product"), dcm("113738", "Dose (RP)")
EXPOSURE_INDEX = dcm("113845", "Exposure Index")
TARGET_INDEX = dcm("113846", "Target Exposure Index")
DEVIATION_INDEX = dcm("113847", "Deviation Index")
ACQUIRED_IMAGE = dcm("113795", "Acquired Image")
PRIMARY_ANGLE, SECONDARY_ANGLE = dcm("112011", "Positioner Primary Angle"), dcm("112012", "Positioner Secondary Angle")
FIELD_AREA = dcm("113790", "Collimated Field Area")
FILTERS, FILTER_TYPE = dcm("113771", "X-Ray Filters"), dcm("113772", "X-Ray Filter Type")
STRIP_FILTER, FLAT_FILTER = dcm("113650", "Strip filter"), dcm("113653", "Flat filter")
FILTER_MATERIAL, COPPER, RHODIUM = (
    dcm("113757", "X-Ray Filter Material"),
    sct("66925006", "Copper"),
    sct("59801003", "Rhodium"),
)
FILTER_MINIMUM = dcm("113758", "X-Ray Filter Thickness Minimum")
FILTER_MAXIMUM = dcm("113773", "X-Ray Filter Thickness Maximum")
FLUORO_MODE, PULSED = dcm("113732", "Fluoro Mode"), dcm("113631", "Pulsed")
RATE, PULSES = dcm("113791", "Pulse Rate"), dcm("113768", "Number of Pulses")
PULSE_WIDTH, DURATION = dcm("113793", "Pulse Width"), dcm("113742", "Irradiation Duration")
EXPOSURE = dcm("113736", "Exposure")
FOCAL_SPOT = dcm("113766", "Focal Spot Size")
TABLE_RELATION, HEADFIRST = dcm("113745", "Patient Table Relationship"), sct("102540008", "headfirst")
ORIENTATION, RECUMBENT = dcm("113743", "Patient Orientation"), sct("102538003", "recumbent")
ORIENTATION_MODIFIER, SUPINE = dcm("113744", "Patient Orientation Modifier"), sct("40199007", "supine")
SOURCE_TO_DETECTOR = dcm("113750", "Distance Source to Detector")
SOURCE_TO_ISOCENTER = dcm("113748", "Distance Source to Isocenter")
ACCUMULATED_AGD = dcm("111637", "Accumulated Average Glandular Dose")
AGD = dcm("111631", "Average Glandular Dose")
ANODE, TUNGSTEN = dcm("111632", "Anode Target Material"), sct("26194003", "Tungsten")
COMPRESSION_THICKNESS = dcm("111633", "Compression Thickness")
COMPRESSION_FORCE = dcm("111647", "Compression Force")
ENTRANCE = dcm("111636", "Entrance Exposure at RP")

_SNOMED_RT = {
    "363703001": "G-C0E8", "261004008": "R-408C3", "77477000": "P5-08000", "71651007": "P5-40010", "116152004": "P5-08001",
    "408730004": "G-C32C", "399331006": "P5-0808E", "27483000": "P5-00100", "373066001": "R-0038D", "373067005": "R-00339",
    "15869005": "A-2C090", "44491008": "P5-06000", "91723000": "T-D0005", "272741003": "G-C171", "73056007": "T-04020",
    "80248007": "T-04030", "66925006": "C-12700", "59801003": "C-16700", "26194003": "C-16400", "102540008": "F-10470",
    "102538003": "F-10450", "40199007": "F-10340", "370129005": "G-C036",
}  # fmt: skip # pairs read best side by side


def retired(code: Code) -> Code:
    """The SNOMED-RT form of a SNOMED CT concept used here; any other code as it is."""
    if code.scheme == "SCT" and code.value in _SNOMED_RT:
        return Code(_SNOMED_RT[code.value], "SRT", code.meaning)
    return code
