import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of Kafka's tools one after the other in this process, because a new process
 * takes longer than most tools do.
 *
 * <p>A line on stdin is a class and its arguments, separated by tabs. The answer on stdout is a line
 * "status bytes" and as many bytes: what the tool wrote to stdout and stderr.
 */
public final class Runner {
  /** Thrown where a tool wants to end the process. */
  private static final class Ended extends Error {
    Ended() {
      super("", null, false, false);
    }
  }

  /** What the tool that runs has written. */
  private static ByteArrayOutputStream shown;

  /** The status it ended with, or null, and how much it had written by then. */
  private static Integer status;

  private static int length;

  /** Many tools catch what they throw, complain, and want to end once more: the first time counts. */
  private static synchronized void end(int wanted) {
    if (status == null) {
      System.out.flush();
      status = wanted;
      length = shown.size();
    }
    throw new Ended();
  }

  public static void main(String[] arguments) throws Exception {
    Exit.setExitProcedure((wanted, message) -> end(wanted));
    Exit.setHaltProcedure((wanted, message) -> end(wanted));
    PrintStream answers = System.out;
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split("\t", -1);
      shown = new ByteArrayOutputStream();
      status = null;
      var sink = new PrintStream(shown, true, StandardCharsets.UTF_8);
      System.setOut(sink);
      System.setErr(sink);
      int returned = run(words[0], Arrays.copyOfRange(words, 1, words.length));
      sink.flush();
      answers.println(
          (status == null ? returned + " " + shown.size() : status + " " + length));
      answers.write(shown.toByteArray(), 0, status == null ? shown.size() : length);
      answers.flush();
    }
  }

  private static int run(String name, String[] arguments) {
    try {
      Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
      return 0;
    } catch (InvocationTargetException thrown) {
      if (!(thrown.getCause() instanceof Ended)) {
        thrown.getCause().printStackTrace();
      }
      return 1;
    } catch (ReflectiveOperationException unknown) {
      unknown.printStackTrace();
      return 2;
    }
  }
}
