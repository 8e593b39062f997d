// A worked client of ACR Connect and NRDR in ASP.NET Core: the OpenID Connect handler signs in, HttpClient posts and polls.
// One program, one step: `acrmock certify --launch "dotnet run --no-build"` runs it once for each (see README.md).
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using AcrClient;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

string[] steps = ["sign-in", "submit", "update", "follow-up", "refresh", "sign-in-again"];
var document = Environment.GetEnvironmentVariable("ACRMOCK_REGISTRATION")
    ?? throw new InvalidOperationException("ACRMOCK_REGISTRATION names no registration document");
var registration = Registration.Read(document);
var state = ClientState.Load(Environment.GetEnvironmentVariable("CLIENT_STATE")
    ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(document))!, "client-state.json"));

using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
using var http = new HttpClient(Trust.Only(registration.CaFile));
var registry = new RegistryClient(registration, state, http);

var step = Environment.GetEnvironmentVariable("ACRMOCK_STEP");
foreach (var name in string.IsNullOrEmpty(step) ? steps : [step])
{
    await DoAsync(name);
}

async Task DoAsync(string name)
{
    switch (name)
    {
        case "sign-in":
        case "sign-in-again":
            await SignInAsync();
            break;
        case "submit": // the records of the day
            state.Exams = File.ReadLines(Environment.GetEnvironmentVariable("EXAMS_FILE")!)
                .Where(line => line.Length > 0).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
            state.Save();
            await registry.DeliverAsync(state.Exams, stop.Token);
            break;
        case "update": // a value changed: the whole record again under its key
            await registry.DeliverAsync([With(state.Exams[0], "Patient_Weight", 181.5)], stop.Token);
            break;
        case "follow-up": // work-up followed a screen: the record again, with the follow-up in it
            await registry.DeliverAsync([FollowedUp()], stop.Token);
            break;
        case "refresh": // the access token has expired; RegistryClient renews it without a person
            await registry.DeliverAsync([With(state.Exams[^1], "Patient_Height", 66.5)], stop.Token);
            break;
        default:
            throw new InvalidOperationException($"unknown step {name}");
    }
}

static JsonObject With(JsonObject exam, string element, JsonNode value)
{
    var changed = exam.DeepClone().AsObject();
    changed[element] = value;
    return changed;
}

JsonObject FollowedUp()
{
    static DateOnly Day(JsonObject exam) => DateOnly.Parse((string)exam["Exam_Date"]!, CultureInfo.InvariantCulture);
    var yesterday = DateOnly.FromDateTime(DateTime.Today).AddDays(-1);
    var exam = state.Exams.Skip(1).First(one => Day(one) < yesterday).DeepClone().AsObject();
    var day = Day(exam).AddDays(30) < yesterday ? Day(exam).AddDays(30) : yesterday;
    var followUps = exam["Follow_Ups"]?.DeepClone().AsArray() ?? new JsonArray();
    followUps.Add(new JsonObject
    {
        ["Date_Of_Follow_Up"] = day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        ["Follow_Up_Unique_ID"] = $"FU-{Guid.NewGuid():N}"[..15],
        ["Follow_Up_Diagnostic"] = "1",
    });
    exam["Follow_Ups"] = followUps;
    return exam;
}

// A web site for as long as a person signs in: /start sends the browser to ACR Connect, the handler takes the redirect.
async Task SignInAsync()
{
    var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    var builder = WebApplication.CreateBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning); // request lines would hold codes
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(registration.RedirectUrl.Port, listen =>
        listen.UseHttps(Certificate())));
    builder.Services
        .AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
        .AddCookie()
        .AddOpenIdConnect(options =>
        {
            options.Authority = registration.Issuer; // discovery, keys and the issuer's check come from here
            options.ClientId = registration.ClientId;
            options.ClientSecret = registration.ClientSecret; // sent in the body of the token request
            options.ResponseType = OpenIdConnectResponseType.Code;
            options.ResponseMode = OpenIdConnectResponseMode.Query;
            options.UsePkce = true; // S256
            options.CallbackPath = registration.RedirectUrl.AbsolutePath; // with the listener's address: redirect_url, byte for byte
            options.Scope.Clear();
            foreach (var scope in registration.Scopes)
            {
                options.Scope.Add(scope);
            }
            options.MapInboundClaims = false;
            options.GetClaimsFromUserInfoEndpoint = true;
            options.DisableTelemetry = true; // no x-client-* parameters
            options.BackchannelHttpHandler = Trust.Only(registration.CaFile);
            options.Events.OnTokenValidated = context => // signature, issuer, audience, times and nonce hold
            {
                var answer = context.TokenEndpointResponse!;
                var seconds = double.Parse(answer.ExpiresIn, CultureInfo.InvariantCulture);
                state.Keep(answer.AccessToken, answer.RefreshToken, TimeSpan.FromSeconds(seconds));
                return Task.CompletedTask;
            };
            options.Events.OnRemoteFailure = context =>
            {
                done.TrySetException(context.Failure ?? new InvalidOperationException("the sign-in failed"));
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                context.HandleResponse();
                return Task.CompletedTask;
            };
        });
    await using var site = builder.Build();
    site.UseAuthentication();
    site.MapGet("/start", () => Results.Challenge(
        new AuthenticationProperties { RedirectUri = "/signed-in" }, [OpenIdConnectDefaults.AuthenticationScheme]));
    site.MapGet("/signed-in", (HttpContext context) =>
    {
        context.Response.OnCompleted(() => { done.TrySetResult(); return Task.CompletedTask; });
        return Results.Content("<!doctype html><title>Signed in</title><p>You can close this page.", "text/html");
    });
    await site.StartAsync(stop.Token);
    OpenBrowser(new Uri(registration.RedirectUrl, "/start"));
    await done.Task.WaitAsync(TimeSpan.FromMinutes(1), stop.Token);
    await site.StopAsync(stop.Token);
}

// Windows' TLS takes no key that lives in memory only: by way of PKCS #12 it does.
static X509Certificate2 Certificate()
{
    using var pem = X509Certificate2.CreateFromPemFile(
        Environment.GetEnvironmentVariable("REDIRECT_CERT")!, Environment.GetEnvironmentVariable("REDIRECT_KEY")!);
    return new X509Certificate2(pem.Export(X509ContentType.Pfx));
}

static void OpenBrowser(Uri url)
{
    var browser = Environment.GetEnvironmentVariable("BROWSER"); // the robot user of `acrmock certify`
    var start = string.IsNullOrEmpty(browser)
        ? new ProcessStartInfo(url.AbsoluteUri) { UseShellExecute = true }
        : new ProcessStartInfo(browser) { ArgumentList = { url.AbsoluteUri } };
    using var process = Process.Start(start);
}
